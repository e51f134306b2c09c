// Translates a MetricValueList of custom.metrics.k8s.io between its versions, for adapters that serve only one of them. Pure.
import { GROUP, type Version } from '#api/api-group.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * Translates an answer. Values stay the texts that they are.
 *
 * @throws Error if the answer is no list of the version `from`: a wrong number is worse than none
 */
export function translateMetricValues(text: string, from: Version): string {
  const list = toFields(parse(text), 'a list')
  if (list.kind !== 'MetricValueList' || list.apiVersion !== `${GROUP}/${from}`)
    throw unexpected(`a MetricValueList of ${GROUP}/${from}`)
  const { items } = list
  if (!Array.isArray(items)) throw unexpected('items')
  const [to, translate] =
    from === 'v1beta1' ? (['v1beta2', toNew] as const) : (['v1beta1', toOld] as const)
  return JSON.stringify({
    ...list,
    apiVersion: `${GROUP}/${to}`,
    items: items.map((item) => translate(checked(item))),
  })
}

/** v1beta1 has the name and the selector of a metric in the item itself, and another name for `windowSeconds`. */
function toNew({ metricName, selector, window, ...rest }: Fields): Fields {
  if (typeof metricName !== 'string') throw unexpected('"metricName"')
  return {
    ...rest,
    metric: { name: metricName, ...(selector !== undefined && { selector }) },
    ...(window !== undefined && { windowSeconds: window }),
  }
}

function toOld({ metric, windowSeconds, ...rest }: Fields): Fields {
  const { name, selector } = toFields(metric, '"metric"')
  if (typeof name !== 'string') throw unexpected('"metric.name"')
  return {
    ...rest,
    metricName: name,
    ...(selector !== undefined && { selector }),
    ...(windowSeconds !== undefined && { window: windowSeconds }),
  }
}

/** A number of JSON may lose digits when it is read: only a text is passed on. */
function checked(item: unknown): Fields {
  const fields = toFields(item, 'an item')
  if (typeof fields.value !== 'string') throw unexpected('a value that is a text')
  return fields
}

function toFields(value: unknown, expected: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw unexpected(expected)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error('its answer is not JSON', { cause })
  }
}

function unexpected(expected: string): Error {
  return new Error(`its answer cannot be translated: expected ${expected}`)
}
