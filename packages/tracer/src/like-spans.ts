import type { Kind } from '@hopscope/model'
import { RepeatedTags } from './repeated-tags.ts'

/**
 * What the spans of one kind in a batch have in common. A proxy's are of two sorts in turn, requests and their attempts: each is like
 * the one before the last.
 */
export class LikeSpans {
  readonly kind: Kind | undefined
  readonly tags = new RepeatedTags()
  /** Of the span before, and the bytes in which it was written, with what belongs to it. */
  name: string | undefined
  named = new Uint8Array(0)
  /** Of all annotations so far, by their place in the span: the text of the last one there, and its bytes. */
  readonly annotations: string[] = []
  readonly annotationBytes: Uint8Array[] = []

  constructor(kind: Kind | undefined) {
    this.kind = kind
  }
}

/** By kind: there are few. */
export class SpansByKind {
  readonly #all: LikeSpans[] = []

  of(kind: Kind | undefined): LikeSpans {
    for (const one of this.#all) if (one.kind === kind) return one
    const added = new LikeSpans(kind)
    this.#all.push(added)
    return added
  }

  /** The batch is gone. */
  forget(): void {
    for (const { tags } of this.#all) tags.forget()
  }
}
