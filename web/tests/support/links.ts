import { explained } from '../../src/wire/linkdamage.ts';
import { type OpenedLink, parseLink } from '../../src/wire/links.ts';

/** As a person gets to know it: a link that is read, or all that can be told of why it is not. */
export function readLink(text: string, base?: string): OpenedLink {
  try {
    return parseLink(text, base);
  } catch (error) {
    throw explained(error);
  }
}
