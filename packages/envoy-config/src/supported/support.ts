/**
 * What Hopscope does with a field of Envoy's API.
 *
 * - `yes`: as in Envoy.
 * - a text: as in Envoy, for the reason it gives (mostly: there is nothing to do).
 * - a list: only these values.
 *
 * A scalar that is written out with its default (`normalize_path: false`) is always accepted, for proto3 cannot tell it from an
 * absent one; a wrapper or duration is not, so those whose default we do are listed with that value.
 */
export type Support = 'yes' | string | readonly (string | number | boolean)[]

/** Fields by message, both by their proto names. */
export type SupportTable = Readonly<Record<string, Readonly<Record<string, Support>>>>

export const label = 'a label; the type of typed_config decides'

export const headerMutations = {
  request_headers_to_add: 'yes',
  request_headers_to_remove: 'yes',
  response_headers_to_add: 'yes',
  response_headers_to_remove: 'yes',
} as const
