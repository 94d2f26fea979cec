/** What an action by the person may raise. Nothing that the network sends ever raises. */
import { PolynyaError } from '../errors.ts';

/** The text catalogue has the words for each: they are not in the first load. */
export type CoreCode =
  | 'identity-exists'
  | 'no-identity'
  | 'bad-name'
  | 'bad-content'
  | 'unknown-conversation'
  | 'unknown-contact'
  | 'unknown-request'
  | 'unknown-invite'
  | 'invite-not-open'
  | 'not-member'
  | 'already-member'
  | 'not-admin'
  | 'not-group'
  | 'suite-in-force'
  | 'suite-unknown'
  | 'too-many-for-suite'
  | 'moving'
  | 'not-active'
  | 'leave-first'
  | 'blocked'
  | 'no-safety-number'
  | 'too-many'
  | 'state-too-new'
  | 'state-too-old'
  | 'state-broken';

/** An action that cannot be done; nothing has changed. */
export class CoreError extends PolynyaError {
  declare readonly code: CoreCode;

  constructor(code: CoreCode) {
    super(code, code);
  }
}

/** What `action` gives; null where it refuses bytes with an error of this class. */
export async function attempt<T>(
  refusal: abstract new (...args: never[]) => PolynyaError,
  action: () => T | Promise<T>,
): Promise<T | null> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof refusal) return null;
    throw error;
  }
}
