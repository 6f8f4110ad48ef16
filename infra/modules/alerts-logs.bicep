metadata description = '''
Alerts on what the app logs and on the requests that the Functions host records. Each query is a file of queries/, and reads
only words and fields that the code emits (a contract test holds them to that).
'''

import { alertLimitsType, tagsType } from 'types.bicep'

@description('Part of every name.')
param base string

@description('Resource id of the Application Insights component.')
param componentId string

@description('Resource id of the action group.')
param actionGroupId string

@description('Limits.')
param limits alertLimitsType

@description('There is an availability test.')
param availability bool

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

var constantRules = [
  {
    name: 'intake-errors'
    title: 'The intake answers 5xx'
    text: 'Callers got the answer to send the event again. `not-queued` in the logs says why the queue could not be reached.'
    query: loadTextContent('../queries/intake-errors.kql')
    measure: 'errors'
    dimension: 'endpoint'
    threshold: limits.intakeErrors
    severity: 1
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'refused'
    title: 'Events are refused'
    text: 'A caller with a valid key sent an event that the intake refuses. It is in no queue and nobody sends it again: the reason and the pointers in the log say what is wrong with it.'
    query: loadTextContent('../queries/refused.kql')
    measure: 'events'
    dimension: 'caller'
    threshold: 0
    severity: 2
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'throttled'
    title: 'A caller sends more than it may'
    text: 'The intake answers a caller with 429, or Dataverse with 503, more often than a burst explains. Raise its rate (INTAKE_RIGHTS, ORGANISATIONS), or find out why it sends so much: Dataverse sends a webhook only once more.'
    query: loadTextContent('../queries/throttled.kql')
    measure: 'calls'
    dimension: 'caller'
    threshold: 50
    severity: 2
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'failures'
    title: 'Functions fail'
    text: 'Executions of worker or archive fail, and not because an event is being dead-lettered.'
    query: loadTextContent('../queries/failures.kql')
    measure: 'failures'
    dimension: 'functionName'
    threshold: 0
    severity: 2
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'failed-attempts'
    title: 'Attempts fail and are repeated'
    text: 'A system is unavailable, throttles the app or refuses it; events wait. The reason names the system: docs/reference/reasons.md.'
    query: loadTextContent('../queries/failed-attempts.kql')
    measure: 'attempts'
    dimension: 'reason'
    threshold: limits.failedAttempts
    severity: 2
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'dead-lettered'
    title: 'Events were given up'
    text: 'Events are in the dead-letter queue; the ledger says why.'
    query: loadTextContent('../queries/dead-lettered.kql')
    measure: 'events'
    dimension: 'reason'
    threshold: 0
    severity: 1
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'untold'
    title: 'Subscribers are not told of events'
    text: 'A subscription to webhooks was switched off after a day of failures, or a single notification or event was given up. The log says which one and why: tell the caller, who renews the subscription when the receiver works again.'
    query: loadTextContent('../queries/untold.kql')
    measure: 'events'
    dimension: 'caller'
    threshold: 0
    severity: 3
    frequency: 'PT15M'
    window: 'PT1H'
  }
  {
    name: 'oldest-unsettled'
    title: 'An event is not settled for too long'
    text: 'An event was accepted, but is neither settled nor dead-lettered: it waits for a system, or it was lost.'
    query: loadTextContent('../queries/oldest-unsettled.kql')
    measure: 'oldestMinutes'
    dimension: ''
    threshold: limits.oldestUnsettledMinutes
    severity: 1
    frequency: 'PT15M'
    // The most that Azure Monitor looks back. What waits even longer is in the metric, which the ledger is asked for.
    window: 'P2D'
  }
  {
    name: 'system-open'
    title: 'A system is left alone'
    text: 'Calls to a system have failed so often that the app tries it only now and then; events wait. `system-left-alone` in the logs says why, `python3 run.py support systems` shows the state.'
    query: loadTextContent('../queries/systems-open.kql')
    measure: 'open'
    dimension: 'system'
    threshold: 1
    severity: 2
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'budget'
    title: 'The budget of requests to a system is nearly used'
    text: 'More than nine tenths of what the app may send to a system in five minutes are used; beyond that, events wait. See docs/how-to/operate.md.'
    query: loadTextContent('../queries/budgets.kql')
    measure: 'usedPercent'
    dimension: 'system'
    threshold: 90
    severity: 3
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'unauthorised'
    title: 'Callers of the intake are refused'
    text: 'Calls come with a wrong key or none. If it is Dataverse, its events are lost to the queue: compare its key with run.py secrets list, and send its records again.'
    query: loadTextContent('../queries/unauthorised.kql')
    measure: 'calls'
    dimension: 'endpoint'
    threshold: limits.unauthorised
    severity: 2
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'sinks-behind'
    title: 'A sink of analytics is behind the hub'
    text: 'Settled events wait in the hub for longer than they should: what the sink writes to is unavailable, or refuses the app. `sink-waits` in the logs says why. The hub keeps them for 72 hours.'
    query: loadTextContent('../queries/sinks-behind.kql')
    measure: 'behindMinutes'
    dimension: 'sink'
    threshold: limits.sinkBehindMinutes
    severity: 2
    frequency: 'PT15M'
    window: 'PT1H'
  }
  {
    name: 'set-aside'
    title: 'A sink of analytics has not taken events as they are'
    text: 'Rows were set aside (container set-aside, with the reason), were cut because they are too large, or have columns that no table has: docs/how-to/analytics.md.'
    query: loadTextContent('../queries/set-aside.kql')
    measure: 'rows'
    dimension: 'sink'
    threshold: 0
    severity: 3
    frequency: 'PT15M'
    window: 'PT1H'
  }
  {
    name: 'copy-missing'
    title: 'No copy of the ledger was made'
    text: 'The last complete copy is older than two days; docs/how-to/recover.md needs one. `ledger-copies-unavailable` in the logs says why.'
    query: loadTextContent('../queries/copy-missing.kql')
    measure: 'copies'
    dimension: ''
    threshold: 1
    severity: 2
    frequency: 'PT1H'
    window: 'P2D'
  }
  {
    name: 'drift'
    title: 'Dataverse is not as declared'
    text: 'Last night something that is registered in Dataverse differed from its declaration, or could not be compared: a step may be disabled, and its events are not sent. The console, GET /api/operations/drift and run.py dataverse drift show it; apply repairs it.'
    query: loadTextContent('../queries/drift.kql')
    measure: 'reports'
    dimension: 'what'
    threshold: 0
    severity: 2
    frequency: 'PT1H'
    window: 'P1D'
  }
  {
    name: 'ledger-behind'
    title: 'The ledger is behind'
    text: 'Events are queued, but could not be written to the ledger in time: their status is missing until they are worked on.'
    query: loadTextContent('../queries/ledger-behind.kql')
    measure: 'events'
    dimension: ''
    threshold: 10
    severity: 3
    frequency: 'PT5M'
    window: 'PT15M'
  }
]

var quietHours = limits.?quietHours ?? 0

var quietRules = quietHours == 0
  ? []
  : [
      {
        name: 'quiet'
        title: 'No event came in for ${quietHours} hours'
        text: 'Nothing was accepted for so long, and it is neither weekend nor Monday. Perhaps the steps in Dataverse are disabled, or access rules or a key keep Dataverse out.'
        query: loadTextContent('../queries/quiet.kql')
        measure: 'events'
        dimension: ''
        threshold: 1
        severity: 2
        frequency: 'PT1H'
        window: quietHours == 24 ? 'P1D' : 'PT${quietHours}H'
      }
    ]

var availabilityRules = availability
  ? [
      {
        name: 'unavailable'
        title: 'The app cannot be reached from outside'
        text: 'The availability test failed from more than one place. `GET /api/health` says which part is away.'
        query: loadTextContent('../queries/unavailable.kql')
        measure: 'places'
        dimension: 'test'
        threshold: 1
        severity: 1
        frequency: 'PT5M'
        window: 'PT15M'
      }
    ]
  : []

// These count what has to be there.
var missing = ['quiet', 'copy-missing']

var rules = concat(constantRules, availabilityRules, quietRules)

resource alert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: 'alert-${base}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${rule.title} (${base})'
      description: rule.text
      severity: rule.severity
      enabled: true
      scopes: [componentId]
      evaluationFrequency: rule.frequency
      windowSize: rule.window
      autoMitigate: true
      // The tables do not exist before the first telemetry arrives.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: rule.query
            metricMeasureColumn: rule.measure
            timeAggregation: 'Maximum'
            operator: contains(missing, rule.name) ? 'LessThan' : 'GreaterThan'
            threshold: rule.threshold
            dimensions: empty(rule.dimension)
              ? []
              : [
                  {
                    name: rule.dimension
                    operator: 'Include'
                    values: ['*']
                  }
                ]
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: [actionGroupId]
      }
    }
  }
]
