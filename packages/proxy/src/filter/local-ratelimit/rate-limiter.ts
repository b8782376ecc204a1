import type { LocalRateLimitFilter, TokenBucketConfig } from '@hopscope/envoy-config'
import type { Clock } from '../../clock.ts'
import type { Descriptor, Entry } from './descriptors.ts'
import { TokenBucket } from './token-bucket.ts'

export interface Judgement {
  allowed: boolean
  /** The bucket that decided; undefined: there is none for such a request. */
  bucket: TokenBucket | undefined
  /** Of that bucket's descriptor: a refusal is counted, no more. */
  shadowMode: boolean
  xRateLimitOption: Descriptor['xRateLimitOption']
}

/** Buckets of one configuration, for all requests or for those of one connection. (Envoy: LocalRateLimiterImpl) */
export class RateLimiter {
  readonly #config: LocalRateLimitFilter
  readonly #clock: Clock
  readonly #default: TokenBucket | undefined
  readonly #fixed = new Map<string, DescriptorBucket>()
  readonly #templates: readonly Template[]

  constructor(config: LocalRateLimitFilter, clock: Clock) {
    this.#config = config
    this.#clock = clock
    this.#default = config.tokenBucket && new TokenBucket(config.tokenBucket, clock)
    const templates: Template[] = []
    for (const { entries, tokenBucket, shadowMode } of config.descriptors) {
      if (entries.every(([, value]) => value !== '')) {
        this.#fixed.set(keyOf(entries), { bucket: new TokenBucket(tokenBucket, clock), shadowMode })
      } else templates.push({ entries, tokenBucket, shadowMode, made: new Map() })
    }
    this.#templates = templates
  }

  judge(descriptors: readonly Descriptor[]): Judgement {
    const matched = descriptors.flatMap(descriptor => {
      const found = this.#bucketOf(descriptor.entries)
      return found === undefined ? [] : [{ ...found, ...descriptor }]
    })
    // The slowest is asked first.
    matched.sort((a, b) => a.bucket.rate - b.bucket.rate)
    for (const { bucket, hits, shadowMode, xRateLimitOption } of matched) {
      if (!bucket.take(hits)) return { allowed: false, bucket, shadowMode, xRateLimitOption }
    }
    const first = matched[0]
    const bucket = first?.bucket ?? this.#default
    const xRateLimitOption = first?.xRateLimitOption ?? 'UNSPECIFIED'
    if (first === undefined || this.#config.alwaysConsumeDefaultTokenBucket) {
      if (this.#default?.take() === false) {
        return { allowed: false, bucket: this.#default, shadowMode: false, xRateLimitOption: 'UNSPECIFIED' }
      }
    }
    return { allowed: true, bucket, shadowMode: false, xRateLimitOption }
  }

  #bucketOf(entries: readonly Entry[]): DescriptorBucket | undefined {
    if (this.#config.descriptors.length === 0) return undefined
    const key = keyOf(entries)
    return this.#fixed.get(key) ?? this.#made(key, entries)
  }

  /** An entry without a value stands for any: each value gets a bucket, which the values used since may push out. */
  #made(key: string, entries: readonly Entry[]): DescriptorBucket | undefined {
    const template = this.#templates.find(one => fits(one.entries, entries))
    if (template === undefined) return undefined
    const { made, tokenBucket, shadowMode } = template
    const bucket = made.get(key) ?? new TokenBucket(tokenBucket, this.#clock)
    made.delete(key)
    made.set(key, bucket)
    if (made.size > this.#config.maxDynamicDescriptors) made.delete(made.keys().next().value!)
    return { bucket, shadowMode }
  }
}

interface DescriptorBucket {
  bucket: TokenBucket
  shadowMode: boolean
}

interface Template {
  entries: readonly Entry[]
  tokenBucket: TokenBucketConfig
  shadowMode: boolean
  /** The longest unused first. */
  made: Map<string, TokenBucket>
}

function fits(template: readonly Entry[], entries: readonly Entry[]): boolean {
  if (template.length !== entries.length) return false
  return template.every(([key, value], i) => key === entries[i]![0] && (value === '' || value === entries[i]![1]))
}

function keyOf(entries: readonly Entry[]): string {
  return JSON.stringify(entries)
}
