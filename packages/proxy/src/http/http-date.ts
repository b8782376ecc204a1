let second = Number.NaN
let text = ''

/** `date` of now, made once a second. */
export function httpDate(epochMicros: number): string {
  const now = Math.floor(epochMicros / 1e6)
  if (now !== second) {
    second = now
    text = new Date(now * 1000).toUTCString()
  }
  return text
}
