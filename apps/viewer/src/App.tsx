import { useEffect } from 'react'
import { CompareTray } from './compare/CompareTray.tsx'
import { COMPARE } from './compare/compare-url.ts'
import { LIVE } from './live/live-url.ts'
import { MESH } from './mesh/mesh-url.ts'
import { ComparePage, LivePage, MeshPage, OpenFilePage, SearchPage, TracePage } from './pages.ts'
import { searchRoute } from './search/search-url.ts'
import { late } from './shared/late.tsx'
import { Notice } from './shared/Notice.tsx'
import { linkTo, useRoute } from './shared/navigation.ts'
import { type Theme, useTheme } from './shared/theme.ts'
import { useTour } from './tour/tour-store.ts'
import { DropTarget } from './trace/DropTarget.tsx'
import { TraceIdField } from './trace/TraceIdField.tsx'
import type { Route } from './url.ts'

const TourBar = late(async () => (await import('./tour/TourBar.tsx')).TourBar)

const TITLES: Record<Route['page'], string> = {
  live: 'Live',
  search: 'Search',
  trace: 'Trace',
  compare: 'Compare',
  mesh: 'Mesh',
  open: 'Open a file',
  unknown: 'Not found',
}
const PAGES: readonly (readonly [Route, string])[] = [
  [LIVE, 'Live'],
  [searchRoute({}), 'Search'],
  [COMPARE, 'Compare'],
  [MESH, 'Mesh'],
  [{ page: 'open' }, 'Open'],
]

export function App() {
  const route = useRoute()
  const isOnTour = useTour() !== undefined
  useEffect(() => {
    document.title = `${TITLES[route.page]}${route.page === 'trace' ? ` ${route.traceId.slice(-8)}` : ''} · Hopscope`
  }, [route])
  return (
    <>
      {/* Not a link: with <base> it would lead away from the page. */}
      <button type="button" className="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to content
      </button>
      <header className="top">
        <a className="brand" {...linkTo(LIVE)}>
          <Mark />
          <span>Hopscope</span>
        </a>
        <nav aria-label="Pages">
          {PAGES.map(([page, name]) => (
            <a key={name} {...linkTo(page)} aria-current={route.page === page.page ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <TraceIdField />
        <ThemeToggle />
      </header>
      {isOnTour && <TourBar />}
      <main id="main" className={`page-${route.page}`} tabIndex={-1}>
        <Page route={route} />
      </main>
      <CompareTray />
      <DropTarget />
    </>
  )
}

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case 'live':
      return <LivePage route={route} />
    case 'search':
      return <SearchPage route={route} />
    case 'trace':
      return <TracePage key={route.traceId} route={route} source={undefined} />
    case 'compare':
      return <ComparePage route={route} />
    case 'mesh':
      return <MeshPage route={route} />
    case 'open':
      return <OpenFilePage />
    case 'unknown':
      return (
        <>
          <h1 className="sr-only">{TITLES.unknown}</h1>
          <Notice kind="error" title="There is no such page">
            <p>
              <code>{route.path}</code> leads nowhere. Pages are the <a {...linkTo(LIVE)}>new traces</a>, the{' '}
              <a {...linkTo(searchRoute({}))}>search</a> and the <a {...linkTo(MESH)}>mesh</a>.
            </p>
          </Notice>
        </>
      )
  }
}

const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' }
const THEME_SIGNS: Record<Theme, readonly [sign: string, name: string]> = {
  system: ['◐', 'Auto'],
  light: ['○', 'Light'],
  dark: ['●', 'Dark'],
}

function ThemeToggle() {
  const [theme, setTheme] = useTheme()
  const [sign, name] = THEME_SIGNS[theme]
  return (
    <button
      type="button"
      className="quiet theme"
      title="Colours: as the system, light, dark"
      onClick={() => setTheme(NEXT[theme])}
    >
      <span aria-hidden="true">{sign}</span>
      <span className="theme-name">{name}</span>
      <span className="sr-only"> colours. Change to {NEXT[theme]}</span>
    </button>
  )
}

/** Two hops between three stones. */
function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 24" width="32" height="24" aria-hidden="true">
      <path d="M5 16c0-13 11-13 11 0 0-13 11-13 11 0" fill="none" className="mark-path" />
      <circle cx="5" cy="17" r="3.2" className="mark-stone" />
      <circle cx="16" cy="17" r="3.2" className="mark-middle" />
      <circle cx="27" cy="17" r="3.2" className="mark-stone" />
    </svg>
  )
}
