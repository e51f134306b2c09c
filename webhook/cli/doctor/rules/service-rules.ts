// A Service that API servers call: that it is there, has the port, and a pod that is ready. The same for webhook and gateway. Pure.
import { plural } from '#explaining/wording.ts'
import { type InstallationCheck, verdict } from '../check.ts'
import type { InstallationFacts } from '../facts/facts.ts'
import type { ServiceFacts } from '../facts/service.ts'
import { spellPlace } from '../facts/service.ts'
import { type Code, type Finding, finding } from '../finding.ts'

interface ServiceCodes {
  readonly absent: Code
  readonly port: Code
  readonly withoutPods: Code
}

interface Hop {
  readonly codes: ServiceCodes
  /** Continues a sentence: `no HPA has metrics`. */
  readonly consequence: string
  /** Installs the Service again. */
  readonly install: string
}

/** What API servers call, and why. */
interface Server {
  /** Begins the names of its checks: `webhook`. */
  readonly name: string
  /** The check of the object that names the Service. */
  readonly needs: string
  readonly of: (facts: InstallationFacts) => ServiceFacts
  readonly hop: Hop
  /** Ports that others need. */
  readonly also?: readonly number[]
}

/** The checks of its Service, and of the pods behind that. */
export function serviceChecks({
  name,
  needs,
  of,
  hop,
  also,
}: Server): readonly InstallationCheck[] {
  return [
    {
      name: `${name}-service`,
      scope: 'installation',
      needs: ['api-server', needs],
      examine: (facts) => {
        const found = of(facts)
        const fine = `${spellService(found)} is there`
        return verdict(fine, serviceFindings(found, hop, also), [found.service])
      },
    },
    {
      name: `${name}-pods`,
      scope: 'installation',
      needs: ['api-server', needs, `${name}-service`],
      examine: (facts) => {
        const found = of(facts)
        const fine = `${spellService(found)} has pods that are ready`
        return verdict(fine, endpointFindings(found, hop), [found.endpoints])
      },
    },
  ]
}

function serviceFindings(
  { place, service }: ServiceFacts,
  { codes, consequence, install }: Hop,
  also: readonly number[] = [],
): readonly Finding[] {
  if (place.kind !== 'read') return []
  const { namespace, name, port } = place.value
  const subject = `Service ${namespace}/${name}`
  if (service.kind === 'absent') {
    const message = `it is not there: ${consequence}`
    return [finding(codes.absent, { subject, message, fix: `install it again: ${install}` })]
  }
  if (service.kind === 'unread') return []
  const { ports } = service.value
  const lacking = [port, ...also].filter((one) => !ports.includes(one))
  if (lacking.length === 0) return []
  const message = `it has no port ${lacking.join(' and ')}, only ${ports.join(', ') || 'none'}: ${consequence}`
  return [finding(codes.port, { subject, message, fix: `restore its ports: ${install}` })]
}

function endpointFindings(
  { place, service, endpoints }: ServiceFacts,
  { codes, consequence }: Hop,
): readonly Finding[] {
  if (place.kind !== 'read' || endpoints.kind !== 'read' || endpoints.value.ready > 0) return []
  const { namespace, name } = place.value
  const { all } = endpoints.value
  const selector = service.kind === 'read' ? Object.entries(service.value.selector) : []
  const labels = selector.map(([key, value]) => `${key}=${value}`).join(',')
  const behind = all === 0 ? 'no pod is behind it' : `${plural(all, 'pod')} behind it, none ready`
  const pods = `kubectl get pods -n ${namespace}${labels === '' ? '' : ` -l ${labels}`}`
  return [
    finding(codes.withoutPods, {
      subject: `Service ${namespace}/${name}`,
      message: `${behind}: ${consequence}`,
      fix: `see why: ${pods}, and kubectl describe of its Deployment`,
    }),
  ]
}

function spellService({ place }: ServiceFacts): string {
  return place.kind === 'read' ? `Service ${spellPlace(place.value)}` : 'its Service'
}
