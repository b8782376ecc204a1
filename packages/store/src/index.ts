// SegmentStore is @hopscope/store/sqlite: who keeps spans in memory does not load a native library.
export { MemoryStore } from './memory.ts'
export {
  type AcceptedBody,
  type BodyFormat,
  type IsSampled,
  type SampleRequest,
  type SpanStore,
  StoreError,
  type StoreErrorCode,
  type StoreOptions,
  type StoreStats,
  TooManySpansError,
} from './store.ts'
