/** The root of every error that Polynya raises on purpose: `code` is stable and in kebab-case, `message` is for people. */
export class PolynyaError extends Error {
  readonly code: string;

  constructor(message: string, code = 'polynya') {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}
