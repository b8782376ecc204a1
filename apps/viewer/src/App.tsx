import { useEffect } from 'react'
import { DependencyPage } from './dependencies/DependencyPage.tsx'
import { SearchPage } from './search/SearchPage.tsx'
import { Notice } from './shared/Notice.tsx'
import { linkTo, useRoute } from './shared/navigation.ts'
import { applyTheme, type Theme, useTheme } from './shared/theme.ts'
import { OpenFilePage } from './trace/OpenFilePage.tsx'
import { TracePage } from './trace/TracePage.tsx'
import { ANY, DEFAULT_LOOKBACK, type Route } from './url.ts'

applyTheme()

const SEARCH: Route = { page: 'search', query: ANY, sort: 'newest' }
const GRAPH: Route = { page: 'dependencies', time: { kind: 'last', lookback: DEFAULT_LOOKBACK }, view: 'graph' }
const TITLES = { search: 'Traces', trace: 'Trace', dependencies: 'Services', open: 'Open a file', unknown: 'Not found' }

export function App() {
  const route = useRoute()
  useEffect(() => {
    document.title = `${TITLES[route.page]}${route.page === 'trace' ? ` ${route.traceId.slice(-8)}` : ''} · Hopscope`
  }, [route])
  const current = (page: Route['page']) => (route.page === page ? 'page' : undefined)
  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="top">
        <a className="brand" {...linkTo(SEARCH)}>
          <Mark />
          <span>Hopscope</span>
        </a>
        <nav aria-label="Pages">
          <a {...linkTo(SEARCH)} aria-current={current('search')}>
            Traces
          </a>
          <a {...linkTo(GRAPH)} aria-current={current('dependencies')}>
            Services
          </a>
          <a {...linkTo({ page: 'open' })} aria-current={current('open')}>
            Open file
          </a>
        </nav>
        <ThemeToggle />
      </header>
      <main id="main" className={`page-${route.page}`} tabIndex={-1}>
        <Page route={route} />
      </main>
    </>
  )
}

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case 'search':
      return <SearchPage route={route} />
    case 'trace':
      return <TracePage key={route.traceId} route={route} source={undefined} />
    case 'dependencies':
      return <DependencyPage route={route} />
    case 'open':
      return <OpenFilePage />
    case 'unknown':
      return (
        <Notice kind="error" title="There is no such page">
          <p>
            <code>{route.path}</code> leads nowhere. Pages are the <a {...linkTo(SEARCH)}>traces</a> and the{' '}
            <a {...linkTo(GRAPH)}>services</a>.
          </p>
        </Notice>
      )
  }
}

const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' }
const THEME_NAMES: Record<Theme, string> = { system: '◐ Auto', light: '○ Light', dark: '● Dark' }

function ThemeToggle() {
  const [theme, setTheme] = useTheme()
  return (
    <button
      type="button"
      className="quiet theme"
      title="Colours: as the system, light, dark"
      onClick={() => setTheme(NEXT[theme])}
    >
      {THEME_NAMES[theme]}
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
