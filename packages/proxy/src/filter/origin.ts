/** Host and port of a URL (`http://a.test:80/x` → `a.test:80`); what is none is given back. */
export function hostAndPort(text: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(text)?.[1] ?? text
}
