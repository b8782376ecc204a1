import type { CompareRoute } from './compare-url.ts'

export function ComparePage({ route }: { route: CompareRoute }) {
  return <h1>Compare {route.a}</h1>
}
