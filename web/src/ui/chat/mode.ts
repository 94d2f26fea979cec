import type { MessageView } from '../../client/types.ts';

/** What the composer writes: an answer, an edit, or, null, something of its own. */
export type Mode = { kind: 'reply' | 'edit'; message: MessageView } | null;
