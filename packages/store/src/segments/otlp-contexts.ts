import type { Span } from '@hopscope/model'
import { viewOf } from './dictionary.ts'
import type { Head } from './head.ts'
import { KnownBytes } from './known-bytes.ts'
import type { OtlpContext } from './otlp-meaning.ts'
import { HASH_SEED, hashBytes } from './words.ts'

/** What resources and scopes mean in a head, by their bytes: the model is asked once for each pair of them. */
export class OtlpContexts {
  readonly #head: Head
  #known: OtlpContext[] = []
  readonly #numbers = new KnownBytes()
  #memory = Buffer.allocUnsafe(4096)

  constructor(head: Head) {
    this.#head = head
  }

  /** `read`: a span of this resource and scope, as the model reads it. */
  of(resource: Uint8Array, scope: Uint8Array, read: () => Pick<Span, 'tags' | 'localEndpoint'>): OtlpContext {
    const head = this.#head
    const length = resource.length + scope.length + 4
    if (this.#memory.length < length) this.#memory = Buffer.allocUnsafe(length * 2)
    this.#memory.writeUInt32LE(resource.length, 0)
    this.#memory.set(resource, 4)
    this.#memory.set(scope, 4 + resource.length)
    const view = viewOf(this.#memory)
    const number = this.#numbers.get(view, 0, length, hashBytes(view, 0, length, HASH_SEED), () => {
      const { tags, localEndpoint } = read()
      const pairs = Object.entries(tags ?? {}).map(([key, value]) => head.dictionary.pair(key, value))
      return this.#known.push({ local: head.endpointEntry(localEndpoint), tags: pairs }) - 1
    })
    return this.#known[number]!
  }

  /** What was added to the head was taken back. */
  forget(): void {
    this.#known = []
    this.#numbers.clear()
  }
}
