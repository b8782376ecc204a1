import type { StreamInfo } from '../stream-info.ts'

/** A compiled format string (`%REQ(x)% literal %%`). In headers a value that is absent gives ""; in logs "-". */
export type Formatter = (info: StreamInfo) => string
