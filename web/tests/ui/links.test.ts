import { describe, expect, test } from 'vitest';
import { findLinks } from '../../src/ui/links.ts';

const found = (text: string): [string, string][] => findLinks(text).flatMap((piece) => ('href' in piece ? [[piece.label, piece.href] as [string, string]] : []));
const whole = (text: string): string => findLinks(text).map((piece) => ('href' in piece ? piece.label : piece.text)).join('');

describe('links are found', () => {
  test.each([
    ['see https://example.org/a?b=c#d now', 'https://example.org/a?b=c#d', 'https://example.org/a?b=c#d'],
    ['www.example.org.', 'www.example.org', 'https://www.example.org/'],
    ['(https://example.org/a_(b)).', 'https://example.org/a_(b)', 'https://example.org/a_(b)'],
    ['«http://example.org/»', 'http://example.org/', 'http://example.org/'],
    ['write to anna@example.org, please', 'anna@example.org', 'mailto:anna@example.org'],
    ['http://localhost:8080/x', 'http://localhost:8080/x', 'http://localhost:8080/x'],
  ])('%s', (text, label, href) => {
    expect(found(text)).toEqual([[label, href]]);
    expect(whole(text)).toBe(text);
  });
});

describe('what could deceive is no link', () => {
  test.each([
    ['javascript:alert(1)'],
    ['data:text/html,<script>'],
    ['https://bank.example@evil.example/'],
    ['https://user:secret@evil.example/'],
    ['https://example.org/\u202egpj.exe'],
    ['https://exa\u200bmple.org/'],
    ['https://\u2066example.org'],
    ['file:///etc/passwd'],
    ['https://word'],
    ['just words'],
  ])('%j', (text) => {
    expect(found(text)).toEqual([]);
    expect(whole(text)).toBe(text);
  });
});

test('a host with letters that look like others shows the name that is registered', () => {
  const [[label, href]] = found('https://аррӏе.com/login') as [[string, string]];
  expect(href).toBe('https://xn--80ak6aa92e.com/login');
  expect(label).toContain('(xn--80ak6aa92e.com)');
});

test('several links and the text between them keep their order', () => {
  const text = 'a https://one.example b https://two.example/ c';
  expect(found(text).map(([label]) => label)).toEqual(['https://one.example', 'https://two.example/']);
  expect(whole(text)).toBe(text);
});
