/** Files on their way out, as the client has them. */
import { useEffect, useMemo } from 'preact/hooks';
import type { Hex, UploadView } from '../../client/types.ts';
import { signal } from '../signals.ts';
import { client } from '../state.ts';

/** Those of one chat; whoever reads this is drawn again when they change. */
export function useUploads(conversation: Hex): readonly UploadView[] {
  const uploads = useMemo(() => signal<readonly UploadView[]>(client().uploads(conversation)), []);
  useEffect(() => {
    const from = client();
    const renew = (): void => void (uploads.value = from.uploads(conversation));
    renew();
    return from.subscribe((event) => {
      if (event.type === 'uploads' && event.conversation === conversation) renew();
    });
  }, []);
  return uploads.value;
}
