/** Hues that keep apart from one another and from the red of errors, in light and dark. */
const HUES = [172, 262, 42, 212, 318, 92, 188, 282, 62, 232, 140, 22]

/** The hue of a service, the same on every page and in every session: a name's hash picks it. */
export function serviceHue(name: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return HUES[(hash >>> 0) % HUES.length]!
}

/** Lightness and strength are the theme's: `--service-lightness`, `--service-chroma`. */
export function serviceColour(name: string): string {
  return `oklch(var(--service-lightness) var(--service-chroma) ${serviceHue(name)})`
}
