/** A QR code, dark on white in every theme: that is what cameras read. */
import { encode } from 'uqr';
import { useMemo } from 'preact/hooks';

/** The standard's quiet zone, in modules. */
const QUIET = 4;

export function Qr({ text, label }: { text: string; label: string }) {
  const { size, path } = useMemo(() => {
    const code = encode(text, { ecc: 'L', border: 0 });
    let drawn = '';
    code.data.forEach((row, y) => {
      for (let x = 0; x < row.length; x += 1) {
        if (!row[x]) continue;
        let length = 1;
        while (row[x + length]) length += 1;
        drawn += `M${x + QUIET} ${y + QUIET}h${length}v1h-${length}z`;
        x += length;
      }
    });
    return { size: code.size + 2 * QUIET, path: drawn };
  }, [text]);
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <path d={path} />
    </svg>
  );
}
