import { renderLookups } from '@hopscope/proxy'
import type { DataPlane } from '../data-plane.ts'
import type { AdminPage } from './admin-server.ts'

const ok = { body: 'OK\n' }

/** Which stats are asked for by name while requests are served. */
export function lookupPages(plane: Pick<DataPlane, 'lookups' | 'change'>): AdminPage[] {
  const track = (tracking: boolean) => async () => {
    await plane.change({ type: 'track lookups', tracking })
    return ok
  }
  return [
    {
      path: '/stats/recentlookups',
      help: 'Show recent stat-name lookups',
      handle: async () => ({ body: renderLookups(await plane.lookups()) }),
    },
    {
      path: '/stats/recentlookups/clear',
      help: 'clear list of stat-name lookups and counter',
      mutates: true,
      async handle() {
        await plane.change({ type: 'clear lookups' })
        return ok
      },
    },
    {
      path: '/stats/recentlookups/disable',
      help: 'disable recording of reset stat-name lookup names',
      mutates: true,
      handle: track(false),
    },
    {
      path: '/stats/recentlookups/enable',
      help: 'enable recording of reset stat-name lookup names',
      mutates: true,
      handle: track(true),
    },
  ]
}
