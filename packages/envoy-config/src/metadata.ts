/** envoy.config.core.v3.Metadata: `filter_metadata`, structs by namespace (`envoy.lb`). */
export type Metadata = ReadonlyMap<string, unknown>
