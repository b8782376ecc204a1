// The pages, each a file of its own that is loaded when it is first gone to.
import { late } from './shared/late.tsx'
import type { Route } from './url.ts'

export const LivePage = late(async () => (await import('./live/LivePage.tsx')).LivePage)
export const SearchPage = late(async () => (await import('./search/SearchPage.tsx')).SearchPage)
export const TracePage = late(async () => (await import('./trace/TracePage.tsx')).TracePage)
export const ComparePage = late(async () => (await import('./compare/ComparePage.tsx')).ComparePage)
export const MeshPage = late(async () => (await import('./mesh/MeshPage.tsx')).MeshPage)
export const OpenFilePage = late(async () => (await import('./trace/OpenFilePage.tsx')).OpenFilePage)

const FILES: Partial<Record<Route['page'], { open(): Promise<void> }>> = {
  live: LivePage,
  search: SearchPage,
  trace: TracePage,
  compare: ComparePage,
  mesh: MeshPage,
  open: OpenFilePage,
}

/** Loads what a page needs before it is drawn. What does not come is told when it is. */
export async function openPage({ page }: Route): Promise<void> {
  await FILES[page]?.open().catch(() => undefined)
}
