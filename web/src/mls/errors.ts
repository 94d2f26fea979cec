import { PolynyaError } from '../errors.ts';

/**
 * What the caller may do about it: `malformed` (bytes that are not the canonical encoding of what was expected),
 * `wrong-epoch` (a message of an epoch that the group is not in, or whose keys are gone), `replayed` (its key was used
 * or dropped), `unknown-proposal` (a commit names a proposal that was not received), `path` (the commit passed every
 * public check and this member alone cannot follow it: it must be added again), `removed` (the commit removes this
 * member), `mls` (anything else that RFC 9420 or the group's state does not allow).
 */
export type MlsErrorCode = 'malformed' | 'wrong-epoch' | 'replayed' | 'unknown-proposal' | 'path' | 'removed' | 'mls';

/** `rule` names the broken rule: the section of RFC 9420 and a word, such as `6.2-membership-tag`. */
export class MlsError extends PolynyaError {
  readonly rule: string;

  constructor(rule: string, detail = '', code: MlsErrorCode = 'mls') {
    super(detail === '' ? rule : `${rule}: ${detail}`, code);
    this.rule = rule;
  }
}

/** Throws the rule's error unless the condition holds. */
export function ensure(
  condition: boolean,
  rule: string,
  detail = '',
  code: MlsErrorCode = 'mls',
): asserts condition {
  if (!condition) throw new MlsError(rule, detail, code);
}
