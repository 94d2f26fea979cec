/** IndexedDB with promises, as far as the storage needs it. */
import { StoreError } from './errors.ts';

function mapped(error: DOMException | null): StoreError {
  if (error?.name === 'QuotaExceededError') return new StoreError('full');
  if (error?.name === 'VersionError') return new StoreError('too-new');
  return new StoreError('failed', error?.name ?? '');
}

/** The request's result. @throws StoreError */
export function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(mapped(request.error));
  });
}

/** Resolves when the transaction is on disk. @throws StoreError; then nothing of it was written. */
export function done(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(mapped(transaction.error));
  });
}

/** @throws StoreError */
export function openDatabase(name: string, version: number, upgrade: (db: IDBDatabase, from: number) => void): Promise<IDBDatabase> {
  const request = indexedDB.open(name, version);
  request.onupgradeneeded = (event) => upgrade(request.result, event.oldVersion);
  return result(request);
}
