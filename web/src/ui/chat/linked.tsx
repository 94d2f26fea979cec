import { findLinks } from '../links.ts';

/** A text whose links can be followed. */
export function Linked({ text }: { text: string }) {
  return (
    <>
      {findLinks(text).map((piece) =>
        'href' in piece ? (
          <a href={piece.href} target="_blank" rel="noopener noreferrer nofollow" title={piece.href} dir="ltr">
            {piece.label}
          </a>
        ) : (
          piece.text
        ),
      )}
    </>
  );
}
