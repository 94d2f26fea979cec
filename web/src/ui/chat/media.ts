/** Formats that browsers show as still or moving pictures and that carry no script. */
const PICTURES: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif']);
export const isPicture = (mediaType: string): boolean => PICTURES.has(mediaType.toLowerCase());
