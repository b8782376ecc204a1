import type { LbPolicy, SubsetPolicy } from '../load-balancing.ts'
import type { Message } from '../schema/message.ts'
import type { Labels, SubsetSelector } from '../subsets.ts'
import type { ParseContext } from './context.ts'
import { parseMetadata } from './metadata.ts'

/** Of a Cluster.LbSubsetConfig, or of the extension that has the same fields. */
export function parseSubsets(message: Message, child: LbPolicy, context: ParseContext): SubsetPolicy {
  const selectors = message.messages('subset_selectors')
  return {
    type: 'SUBSET',
    fallback: message.enum<SubsetPolicy['fallback']>('fallback_policy', 'NO_FALLBACK'),
    defaultSubset: (message.plain('default_subset') ?? {}) as Labels,
    selectors: selectors
      .map(selector => parseSelector(selector, context))
      // One without keys selects nothing.
      .filter(({ keys }) => keys.length > 0),
    allowRedundantKeys: message.boolean('allow_redundant_keys'),
    localityWeightAware: message.boolean('locality_weight_aware'),
    scaleLocalityWeight: message.boolean('scale_locality_weight'),
    panicModeAny: message.boolean('panic_mode_any'),
    listAsAny: message.boolean('list_as_any'),
    triesFallbackList: message.enum<string>('metadata_fallback_policy', 'METADATA_NO_FALLBACK') === 'FALLBACK_LIST',
    child,
  }
}

function parseSelector(message: Message, context: ParseContext): SubsetSelector {
  const keys = sortedKeys(message, 'keys')
  const fallback = message.enum<SubsetSelector['fallback']>('fallback_policy', 'NOT_DEFINED')
  const fallbackKeys = sortedKeys(message, 'fallback_keys_subset')
  const wrong = wrongFallbackKeys(keys, fallback, fallbackKeys)
  if (wrong !== undefined) context.problems.add('invalid', message.place('fallback_keys_subset'), wrong)
  return { keys, singleHost: message.boolean('single_host_per_subset'), fallback, fallbackKeys }
}

function sortedKeys(message: Message, field: string): string[] {
  return [...new Set(message.strings(field))].sort()
}

function wrongFallbackKeys(
  keys: readonly string[],
  fallback: SubsetSelector['fallback'],
  chosen: readonly string[],
): string | undefined {
  if (fallback !== 'KEYS_SUBSET') return chosen.length > 0 ? 'is for the fallback_policy KEYS_SUBSET alone' : undefined
  if (chosen.length === 0) return 'cannot be empty with the fallback_policy KEYS_SUBSET'
  const strange = chosen.find(key => !keys.includes(key))
  if (strange !== undefined) return `must be some of the selector's keys, and '${strange}' is none of them`
  return chosen.length === keys.length ? "cannot be all of the selector's keys" : undefined
}

/** What a route asks of hosts; undefined: nothing. */
export function parseMetadataMatch(message: Message | undefined): { metadataMatch?: Labels } {
  const labels = parseMetadata(message?.message('metadata_match')).get('envoy.lb')
  return labels === undefined ? {} : { metadataMatch: labels as Labels }
}
