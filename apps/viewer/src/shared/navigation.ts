import { type MouseEvent, useMemo, useSyncExternalStore } from 'react'
import { formatUrl, parseUrl, type Route } from '../url.ts'

/** Where the pages live: `/zipkin/`, or what the server wrote into `<base>`. */
const base = () => new URL('.', document.baseURI)

const listeners = new Set<() => void>()
const announce = () => {
  for (const listener of listeners) listener()
}

/** The page the address bar names; follows back, forward and {@link navigate}. */
export function useRoute(): Route {
  const href = useSyncExternalStore(subscribe, () => location.href)
  return useMemo(() => parseHref(href), [href])
}

/** Goes to a page. `replace` where going back to what was before would be of no use. */
export function navigate(route: Route, how: 'push' | 'replace' = 'push'): void {
  const href = hrefOf(route)
  if (href === location.href) return
  if (how === 'push') history.pushState(null, '', href)
  else history.replaceState(null, '', href)
  announce()
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

function parseHref(href: string): Route {
  const url = new URL(href)
  const { pathname } = base()
  const path = url.pathname.startsWith(pathname) ? url.pathname.slice(pathname.length) : url.pathname
  return parseUrl(path, url.search)
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  addEventListener('popstate', listener)
  return () => {
    listeners.delete(listener)
    removeEventListener('popstate', listener)
  }
}
