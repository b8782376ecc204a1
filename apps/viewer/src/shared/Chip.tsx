import { serviceColour } from './service-colour.ts'

/** A service's name with its colour. */
export function Chip({ service, count }: { service: string; count?: number }) {
  return (
    <span className="chip" title={count === undefined ? service : `${service}: ${count} spans`}>
      <span className="swatch" style={{ ['--swatch' as string]: serviceColour(service) }} aria-hidden="true" />
      <span className="chip-name">{service}</span>
      {count !== undefined && <span className="chip-count">{count}</span>}
    </span>
  )
}
