/** How an encoding was found. */
export type Choice =
  | { type: 'none' | 'not_valid' | 'identity' }
  /** `by`: its own name, or `*`. */
  | { type: 'encoding'; encoding: string; by: 'name' | 'wildcard' }

export interface Offer {
  encoding: string
  /** Among equal wishes this one. */
  chooseFirst: boolean
}

/**
 * What a client would like best of what is on offer, by its `accept-encoding` (`gzip;q=0.5, br, *;q=0`). Of equal wishes the first
 * counts, of a star the first on offer. Names are compared as they are written. (Behaviour: Envoy 1.40)
 */
export function chooseEncoding(header: string | undefined, offers: readonly Offer[]): Choice {
  if (header === undefined) return { type: 'none' }
  let best: { name: string; q: number; first: boolean } = { name: '', q: 0, first: false }
  for (const { name, q } of wishesOf(header)) {
    const offer = offers.find(one => one.encoding === name)
    if (offer === undefined && name !== 'identity' && name !== '*') continue
    const first = offer?.chooseFirst ?? false
    if (q > best.q || (q === best.q && q > 0 && first && !best.first)) best = { name, q, first }
  }
  if (best.q === 0) return { type: 'not_valid' }
  if (best.name === 'identity') return { type: 'identity' }
  if (best.name !== '*') return { type: 'encoding', encoding: best.name, by: 'name' }
  const any = offers[0]
  return any === undefined ? { type: 'not_valid' } : { type: 'encoding', encoding: any.encoding, by: 'wildcard' }
}

/** Without a `q` it is 1; one that is no number is no wish. */
function* wishesOf(header: string): Generator<{ name: string; q: number }> {
  for (const part of header.split(',')) {
    const [name = '', ...parameters] = part.split(';').map(one => one.trim())
    const weight = parameters.map(one => /^q=(.*)$/i.exec(one)?.[1]).find(one => one !== undefined)
    const q = weight === undefined ? 1 : Number(weight)
    if (name !== '' && !Number.isNaN(q)) yield { name, q }
  }
}
