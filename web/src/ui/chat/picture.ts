/** Makes pictures ready to be sent: smaller, and without what cameras write into them (place, device, time). */

/** Longest side, pixels: sharp on a phone held close, and about 500 KB. */
const LONGEST = 2_048;
const QUALITY = 0.85;
/** Longest side of the blurred preview: 1,536 bytes at most are carried inside the message. */
const PREVIEW_LONGEST = 32;
const PREVIEW_LIMIT = 1_536;

export interface Prepared {
  file: File;
  width: number;
  height: number;
  preview: Uint8Array | null;
}

function draw(source: CanvasImageSource, width: number, height: number, background: string | null): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context) throw new DOMException('no canvas', 'NotSupportedError');
  if (background) {
    context.fillStyle = background;
    context.fillRect(0, 0, width, height);
  }
  context.imageSmoothingQuality = 'high';
  context.drawImage(source, 0, 0, width, height);
  return canvas;
}

const encode = (canvas: HTMLCanvasElement, type: string, quality: number): Promise<Blob | null> => new Promise((resolve) => canvas.toBlob(resolve, type, quality));

function scaled(width: number, height: number, longest: number): [number, number] {
  const scale = Math.min(1, longest / Math.max(width, height));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

function hasTransparency(canvas: HTMLCanvasElement): boolean {
  const small = draw(canvas, ...scaled(canvas.width, canvas.height, 64), null);
  const pixels = small.getContext('2d')?.getImageData(0, 0, small.width, small.height).data ?? [];
  for (let index = 3; index < pixels.length; index += 4) if ((pixels[index] as number) < 250) return true;
  return false;
}

async function makePreview(canvas: HTMLCanvasElement): Promise<Uint8Array | null> {
  const small = draw(canvas, ...scaled(canvas.width, canvas.height, PREVIEW_LONGEST), '#fff');
  const blob = await encode(small, 'image/jpeg', 0.5);
  return blob && blob.size <= PREVIEW_LIMIT ? new Uint8Array(await blob.arrayBuffer()) : null;
}

/** Null where the file is no picture that this browser can read, or an animation, which drawing would stop. */
export async function preparePicture(file: File): Promise<Prepared | null> {
  if (!/^image\/(jpeg|png|webp|avif|heic|heif|bmp)$/.test(file.type)) return null;
  let source: ImageBitmap;
  try {
    source = await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    return null;
  }
  const [width, height] = scaled(source.width, source.height, LONGEST);
  const canvas = draw(source, width, height, null);
  source.close();
  const transparent = file.type !== 'image/jpeg' && hasTransparency(canvas);
  const blob = await encode(canvas, transparent ? 'image/png' : 'image/jpeg', QUALITY);
  if (!blob) return null;
  const name = `${file.name.replace(/\.[^.]*$/, '') || 'picture'}.${transparent ? 'png' : 'jpg'}`;
  return { file: new File([blob], name, { type: blob.type }), width, height, preview: await makePreview(canvas) };
}
