import { PolynyaError } from '../errors.ts';

/**
 * Bytes or values that the protocol does not allow.
 *
 * `rule` names the broken rule (kebab-case, the same in both languages and in spec/vectors).
 */
export class WireError extends PolynyaError {
  readonly rule: string;
  readonly detail: string;

  constructor(rule: string, detail = '', code = 'wire') {
    super(detail ? `${rule}: ${detail}` : rule, code);
    this.rule = rule;
    this.detail = detail;
  }
}
