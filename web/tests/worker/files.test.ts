import { describe, expect, it } from 'vitest';

import { contentType, fileOf } from '../../src/worker/files.ts';

const SCOPE = 'https://relay.example/secret/';
const FILES = { 'index.html': '00', 'assets/main.js': '11' };

describe('fileOf', () => {
  it.each([
    ['https://relay.example/secret/', 'index.html'],
    ['https://relay.example/secret/#i=abc', 'index.html'],
    ['https://relay.example/secret/?source=home', 'index.html'],
    ['https://relay.example/secret/index.html', 'index.html'],
    ['https://relay.example/secret/assets/main.js', 'assets/main.js'],
  ])('answers %s from the kept files', (address, file) => {
    expect(fileOf('GET', address, SCOPE, FILES)).toBe(file);
  });

  it.each([
    ['the relay', 'GET', 'https://relay.example/secret/keys'],
    ['a post', 'POST', 'https://relay.example/secret/'],
    ['a folder above', 'GET', 'https://relay.example/'],
    ['a look-alike path', 'GET', 'https://relay.example/secretly/index.html'],
    ['another origin', 'GET', 'https://other.example/secret/index.html'],
    ['a property that every object has', 'GET', 'https://relay.example/secret/constructor'],
  ])('leaves %s alone', (_, method, address) => {
    expect(fileOf(method, address, SCOPE, FILES)).toBeNull();
  });
});

describe('contentType', () => {
  it('trusts the name before the server, so that nosniff never refuses a script', () => {
    expect(contentType('assets/main.js', 'text/plain')).toBe('text/javascript; charset=utf-8');
  });

  it('falls back to what the server said, then to bytes', () => {
    expect(contentType('sounds/new.opus', 'audio/ogg')).toBe('audio/ogg');
    expect(contentType('LICENSE', null)).toBe('application/octet-stream');
  });
});
