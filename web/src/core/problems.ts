/** Codes of what may go wrong by itself; apps turn them into plain words. */
export const CODES = [
  'relay-misbehaves',
  'relay-fraud',
  'relay-lost-history',
  'history-differs',
  'stuck',
  'removed',
  'no-key-package',
  'bad-key-package',
  'no-reach',
  'change-refused',
  'cannot-move',
  'outgrown',
  'message-failed',
  'welcome-failed',
  'invite-failed',
  'relay-refuses',
] as const;
