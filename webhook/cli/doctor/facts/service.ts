// A Service, and the pods behind it that are ready: what API servers find when they call a webhook or an aggregated API.
import * as v from 'valibot'
import type { Api } from './api.ts'
import { mapReading, type Reading, readNext } from './reading.ts'

/** A Service, and the port that is asked. */
export interface ServicePlace {
  readonly namespace: string
  readonly name: string
  readonly port: number
}

export interface ServiceFacts {
  readonly place: Reading<ServicePlace>
  readonly service: Reading<ServiceSpec>
  readonly endpoints: Reading<Endpoints>
}

export interface ServiceSpec {
  readonly ports: readonly number[]
  readonly selector: Readonly<Record<string, string>>
}

/** Addresses of pods. */
export interface Endpoints {
  readonly ready: number
  readonly all: number
}

const ServiceSchema = v.object({
  spec: v.object({
    ports: v.nullish(v.array(v.object({ port: v.number() })), []),
    selector: v.nullish(v.record(v.string(), v.string()), {}),
  }),
})

const SlicesSchema = v.object({
  items: v.nullish(
    v.array(
      v.object({
        endpoints: v.nullish(
          v.array(
            v.object({
              addresses: v.array(v.string()),
              // Not known counts as ready (discovery.k8s.io/v1).
              conditions: v.nullish(v.object({ ready: v.nullish(v.boolean()) })),
            }),
          ),
        ),
      }),
    ),
  ),
})

/** `namespace/name:port` */
export function spellPlace({ namespace, name, port }: ServicePlace): string {
  return `${namespace}/${name}:${port}`
}

/** @param place `undefined` if no Service is asked */
export function spellTarget(place: ServicePlace | undefined): string {
  return place === undefined ? 'the API server itself' : `Service ${spellPlace(place)}`
}

export async function readService(api: Api, place: Reading<ServicePlace>): Promise<ServiceFacts> {
  const [service, endpoints] = await Promise.all([
    readNext(place, (value) => readSpec(api, value)),
    readNext(place, (value) => readEndpoints(api, value)),
  ])
  return { place, service, endpoints }
}

async function readSpec(
  api: Api,
  { namespace, name }: ServicePlace,
): Promise<Reading<ServiceSpec>> {
  const what = `Service ${namespace}/${name}`
  const object = await api.object(`/api/v1/namespaces/${namespace}/services/${name}`, what)
  return mapReading(object, what, (value) => {
    const parsed = v.safeParse(ServiceSchema, value)
    if (!parsed.success) return undefined
    const { ports, selector } = parsed.output.spec
    return { ports: (ports ?? []).map(({ port }) => port), selector: selector ?? {} }
  })
}

async function readEndpoints(
  api: Api,
  { namespace, name }: ServicePlace,
): Promise<Reading<Endpoints>> {
  const what = `the EndpointSlices of Service ${namespace}/${name}`
  const query = `labelSelector=${encodeURIComponent(`kubernetes.io/service-name=${name}`)}`
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?${query}`
  return mapReading(await api.object(path, what), what, (value) => {
    const parsed = v.safeParse(SlicesSchema, value)
    if (!parsed.success) return undefined
    const endpoints = (parsed.output.items ?? []).flatMap((slice) => slice.endpoints ?? [])
    const count = (some: typeof endpoints) =>
      some.reduce((sum, { addresses }) => sum + addresses.length, 0)
    const ready = endpoints.filter(({ conditions }) => conditions?.ready !== false)
    return { ready: count(ready), all: count(endpoints) }
  })
}
