/** Names of files as messages carry them. */
import { utf8 } from '../crypto/bytes.ts';

/** Bytes of a name in FileReference. */
const NAME_MOST = 255;
/** Bytes of an ending that is kept. */
const ENDING_MOST = 20;

/** At most NAME_MOST bytes of UTF-8, the ending kept; what has no UTF-8 is replaced. */
export function shortName(name: string): string {
  const sound = name.replace(/\p{Surrogate}/gu, '\ufffd');
  const dot = sound.lastIndexOf('.');
  const ending = dot < 0 || utf8(sound.slice(dot)).length > ENDING_MOST + 1 ? '' : sound.slice(dot);
  let room = NAME_MOST - utf8(ending).length;
  let kept = '';
  for (const character of ending ? sound.slice(0, dot) : sound) {
    room -= utf8(character).length;
    if (room < 0) break;
    kept += character;
  }
  return kept + ending;
}
