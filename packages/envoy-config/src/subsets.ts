/** What is known of a host, or asked of one: a struct of the namespace `envoy.lb`. */
export type Labels = Readonly<Record<string, unknown>>

/**
 * `lb_subset_config`: hosts in groups by their labels. A request goes to the group that has the labels of its route's
 * `metadata_match`, or where the fallback says.
 */
export interface Subsets {
  fallback: 'NO_FALLBACK' | 'ANY_ENDPOINT' | 'DEFAULT_SUBSET'
  defaultSubset: Labels
  selectors: readonly SubsetSelector[]
  /** A route may ask for more than a selector has keys: what no selector has is left out. */
  allowRedundantKeys: boolean
  /** The weights of localities count within a group. */
  localityWeightAware: boolean
  /** They are the less, the fewer hosts of the locality are in the group. */
  scaleLocalityWeight: boolean
  /** Where the fallback has no host either, any host. */
  panicModeAny: boolean
  /** A label of a host that is a list stands for each of its items. */
  listAsAny: boolean
  /** `FALLBACK_LIST`: a route's label `fallback_list` has labels to try one after the other. */
  triesFallbackList: boolean
}

/** A group for each combination of values that hosts have for these keys. */
export interface SubsetSelector {
  /** In order, each once. */
  keys: readonly string[]
  /** Each group has one host. */
  singleHost: boolean
  /** For a route that asks for these keys; `NOT_DEFINED`: that of all. */
  fallback: 'NOT_DEFINED' | 'NO_FALLBACK' | 'ANY_ENDPOINT' | 'DEFAULT_SUBSET' | 'KEYS_SUBSET'
  /** Of `KEYS_SUBSET`: the keys that are asked for then. */
  fallbackKeys: readonly string[]
}
