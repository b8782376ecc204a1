import { type MouseEvent, useMemo, useSyncExternalStore } from 'react'
import { formatUrl, parseUrl, type Route } from '../url.ts'

/** Browsers refuse an address that changes a few hundred times in some seconds, as it would while somebody zooms. */
const MIN_BETWEEN_REPLACES = 150

/** Where the pages live: `/zipkin/`, or what the server wrote into `<base>`. */
const base = () => new URL('.', document.baseURI)

const listeners = new Set<() => void>()
const announce = () => {
  for (const listener of listeners) listener()
}

/** The address of what is on screen; the address bar follows within {@link MIN_BETWEEN_REPLACES} ms. */
let current = location.href
let lastReplace = 0
let timer: ReturnType<typeof setTimeout> | undefined

addEventListener('popstate', () => {
  clearTimeout(timer)
  timer = undefined
  current = location.href
  announce()
})
addEventListener('pagehide', writeAddress)

/** The page that is on screen; follows back, forward and {@link navigate}. */
export function useRoute(): Route {
  const href = useSyncExternalStore(subscribe, () => current)
  return useMemo(() => parseHref(href), [href])
}

export function currentRoute(): Route {
  return parseHref(current)
}

/** Goes to a page. `replace` where going back to what was before would be of no use. */
export function navigate(route: Route, how: 'push' | 'replace' = 'push'): void {
  const href = hrefOf(route)
  if (href === current) return
  if (how === 'push') {
    writeAddress()
    history.pushState(null, '', href)
    current = href
  } else {
    current = href
    const wait = lastReplace + MIN_BETWEEN_REPLACES - performance.now()
    if (wait <= 0) writeAddress()
    else timer ??= setTimeout(writeAddress, wait)
  }
  announce()
}

/** Links of Zipkin, and those that say more than they need, as ours would be written. */
export function upgradeAddress(): void {
  const route = currentRoute()
  if (route.page !== 'unknown') navigate(route, 'replace')
}

export function hrefOf(route: Route): string {
  return new URL(formatUrl(route), base()).href
}

/** Address of something the collector serves: `api/v2/services`. */
export function apiUrl(path: string): string {
  return new URL(path, base()).href
}

/** Attributes of a link that changes the page without loading it; new tabs and the like stay the browser's. */
export function linkTo(route: Route) {
  return {
    href: hrefOf(route),
    onClick(event: MouseEvent) {
      if (event.defaultPrevented || event.button !== 0) return
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
      event.preventDefault()
      navigate(route)
      scrollTo(0, 0)
    },
  }
}

function writeAddress(): void {
  clearTimeout(timer)
  timer = undefined
  if (location.href === current) return
  lastReplace = performance.now()
  history.replaceState(null, '', current)
}

function parseHref(href: string): Route {
  const url = new URL(href)
  const { pathname } = base()
  const path = url.pathname.startsWith(pathname) ? url.pathname.slice(pathname.length) : url.pathname
  return parseUrl(path, url.search)
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
