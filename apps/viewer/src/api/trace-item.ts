import type { ListedTrace } from '@hopscope/model'
import type { Trouble } from '../live/live-url.ts'

/** A trace as lists show it. */
export type TraceItem = ListedTrace

export function hasTrouble(item: TraceItem, trouble: Trouble): boolean {
  switch (trouble) {
    case 'error':
      return item.error !== undefined
    case 'retry':
      return item.retries > 0
    case 'timeout':
      return item.timeouts > 0
    case 'untraced':
      return item.untraced > 0
  }
}
