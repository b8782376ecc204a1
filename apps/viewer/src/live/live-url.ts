/** What of the calls in a trace it is picked for; several: any of them. */
export type Trouble = 'error' | 'retry' | 'timeout' | 'untraced'

export const TROUBLES: readonly Trouble[] = ['error', 'retry', 'timeout', 'untraced']

export interface LiveRoute {
  page: 'live'
  /** Empty: all traces. */
  only: readonly Trouble[]
}

export const LIVE: LiveRoute = { page: 'live', only: [] }

export function parseLiveUrl(parameters: URLSearchParams): LiveRoute {
  const words = (parameters.get('only') ?? '').split(',')
  return { page: 'live', only: TROUBLES.filter(trouble => words.includes(trouble)) }
}

export function formatLiveUrl(route: LiveRoute, put: (name: string, value: string) => void): string {
  put('only', route.only.join(','))
  return ''
}
