import type { SegmentMeta } from './segment.ts'

/** What the writer of segments is asked, one after the other. */
export type SealerRequest =
  | { do: 'seal'; log: string; number: number; end: number }
  | { do: 'merge'; ids: number[]; id: number }
  | { do: 'delete'; ids: number[] }
  | { do: 'keep'; links: KeptLink[] }
  | { do: 'close' }

/** A row of `linked`. */
export interface KeptLink {
  segment: number
  piece: Uint8Array
}

export type SealerAnswer = { meta?: SegmentMeta } | { error: { name: string; message: string; code?: string } }

export interface SealerOptions {
  file: string
  autocompleteKeys: readonly string[]
}
