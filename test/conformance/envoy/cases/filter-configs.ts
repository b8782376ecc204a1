/** Configurations of HTTP filters, as short as cases need them. */
type Fields = Record<string, unknown>

export const ALWAYS = { numerator: 100, denominator: 'HUNDRED' }
export const NEVER = { numerator: 0, denominator: 'HUNDRED' }
const HTTP = 'type.googleapis.com/envoy.extensions.filters.http.'

/** `rbac.v3.RBAC` and its fields. */
export const config = (type: string, fields: Fields = {}): Fields => ({ '@type': `${HTTP}${type}`, ...fields })

/** An entry of http_filters. */
export const filter = (name: string, type: string, fields: Fields = {}, more: Fields = {}): Fields => ({
  name: `envoy.filters.http.${name}`,
  typed_config: config(type, fields),
  ...more,
})

/** An entry of typed_per_filter_config. */
export const perFilter = (name: string, value: Fields): Fields => ({
  typed_per_filter_config: { [`envoy.filters.http.${name}`]: value },
})

/** A FilterConfig. */
export const wrapped = (fields: Fields): Fields => ({
  '@type': 'type.googleapis.com/envoy.config.route.v3.FilterConfig',
  ...fields,
})

/** Routes by their prefix, to the cluster `app`, and one for all others. */
export const routes = (byPrefix: Record<string, Fields>): Fields[] => [
  ...Object.entries(byPrefix).map(([prefix, fields]) => ({ match: { prefix }, route: { cluster: 'app' }, ...fields })),
  { match: { prefix: '/' }, route: { cluster: 'app' } },
]
