/** `503` → 503; undefined for what is no final HTTP status. */
export function parseStatus(text: string): number | undefined {
  const status = /^\d{3}$/.test(text) ? Number(text) : 0
  return status >= 200 && status <= 599 ? status : undefined
}
