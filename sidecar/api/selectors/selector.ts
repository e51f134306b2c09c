// Matches labels against selectors, writes selectors as text, and writes and reads them as a LabelSelector. Parsing is in parser.ts.
import { badRequest } from '#serving/status.ts'
import type { Labels } from './label.ts'
import { isInteger, type Requirement, type Selector } from './parser.ts'

export { parseSelector, type Requirement, type Selector } from './parser.ts'

/** A meta/v1 LabelSelector. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly LabelSelectorRequirement[]
}

interface LabelSelectorRequirement {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  readonly values?: readonly string[]
}

/** Whether every requirement holds for `labels`. */
export function matchesLabels(selector: Selector, labels: Labels): boolean {
  return selector.every((requirement) => holds(requirement, labels.get(requirement.key)))
}

function holds({ operator, values }: Requirement, actual: string | undefined): boolean {
  switch (operator) {
    case '=':
    case 'in':
      return actual !== undefined && values.includes(actual)
    case '!=':
    case 'notin':
      return actual === undefined || !values.includes(actual)
    case 'exists':
      return actual !== undefined
    case '!':
      return actual === undefined
    case '>':
    case '<': {
      const [limit = ''] = values
      if (actual === undefined || !isInteger(actual)) return false
      return operator === '>' ? BigInt(actual) > BigInt(limit) : BigInt(actual) < BigInt(limit)
    }
  }
}

/** Writes the selector as text: `a=1,b in (x,y),!c`. */
export function formatSelector(selector: Selector): string {
  return selector.map(formatRequirement).join(',')
}

function formatRequirement({ key, operator, values }: Requirement): string {
  switch (operator) {
    case 'exists':
      return key
    case '!':
      return `!${key}`
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`
    default:
      return `${key}${operator}${values.join('')}`
  }
}

/**
 * Converts the selector for the `selector` field of an answer.
 *
 * @throws StatusError 400 for `>` and `<`, which a LabelSelector cannot express
 */
export function toLabelSelector(selector: Selector): LabelSelector {
  const matchLabels = new Map<string, string>()
  const matchExpressions: LabelSelectorRequirement[] = []
  for (const requirement of selector) {
    const { key, operator, values } = requirement
    const [value] = values
    if (operator === '=' && value !== undefined && !matchLabels.has(key)) {
      matchLabels.set(key, value)
    } else matchExpressions.push(toExpression(requirement))
  }
  return {
    ...(matchLabels.size > 0 && { matchLabels: Object.fromEntries(matchLabels) }),
    ...(matchExpressions.length > 0 && { matchExpressions }),
  }
}

function toExpression(requirement: Requirement): LabelSelectorRequirement {
  const { key, operator, values } = requirement
  switch (operator) {
    case '=':
    case 'in':
      return { key, operator: 'In', values }
    case '!=':
    case 'notin':
      return { key, operator: 'NotIn', values }
    case 'exists':
      return { key, operator: 'Exists' }
    case '!':
      return { key, operator: 'DoesNotExist' }
    default:
      throw badRequest(
        `Cannot select metrics by "${formatRequirement(requirement)}": "${operator}" is for labels of objects only`,
      )
  }
}

const OPERATORS = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
} as const satisfies Readonly<Record<LabelSelectorRequirement['operator'], Requirement['operator']>>

/** Reads a LabelSelector. */
export function fromLabelSelector({
  matchLabels = {},
  matchExpressions = [],
}: LabelSelector): Selector {
  return [
    ...Object.entries(matchLabels).map(
      ([key, value]): Requirement => ({ key, operator: '=', values: [value] }),
    ),
    ...matchExpressions.map(
      ({ key, operator, values = [] }): Requirement => ({
        key,
        operator: OPERATORS[operator],
        values,
      }),
    ),
  ]
}
