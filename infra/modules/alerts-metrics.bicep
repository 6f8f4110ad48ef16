metadata description = '''
Alerts on platform metrics of Service Bus and Event Hubs. Each is stateful: it says once that it fires and once that it is
over. One that is not would send a mail every five minutes. After two idle hours Service Bus reports 0 for an entity, whatever
lies in its dead-letter queue, so that `deadletter` may end while dead letters are left: GET /api/operations/problems lists them.
'''

import { alertLimitsType, tagsType } from 'types.bicep'

@description('Part of every name.')
param base string

@description('Resource id of the Service Bus namespace.')
param serviceBusId string

@description('Resource id of the Event Hubs namespace.')
param eventHubsId string

@description('Capture is on.')
param capture bool

@description('Most megabytes of each queue.')
param queueSizeMb int

@description('Resource id of the action group.')
param actionGroupId string

@description('Limits.')
param limits alertLimitsType

@description('Tags.')
param tags tagsType

var serviceBusRules = [
  {
    name: 'deadletter'
    text: 'Events are in a dead-letter queue: docs/reference/reasons.md.'
    metric: 'DeadletteredMessages'
    aggregation: 'Maximum'
    threshold: 0
    severity: 1
  }
  {
    name: 'backlog'
    text: 'A queue is filling up: the worker is slower than the intake, or does not run.'
    metric: 'ActiveMessages'
    aggregation: 'Average'
    threshold: limits.activeMessages
    severity: 2
  }
  {
    name: 'queue-full'
    text: 'A queue is 70 % full, dead letters included. When it is full, the intake answers 503.'
    metric: 'Size'
    aggregation: 'Maximum'
    threshold: queueSizeMb * 1048576 * 7 / 10
    severity: 1
  }
  {
    name: 'servicebus-throttled'
    text: 'Service Bus throttles requests: the namespace is at the limit of its tier.'
    metric: 'ThrottledRequests'
    aggregation: 'Total'
    threshold: 0
    severity: 2
  }
  {
    name: 'servicebus-errors'
    text: 'Service Bus answers with server errors.'
    metric: 'ServerErrors'
    aggregation: 'Total'
    threshold: 0
    severity: 3
  }
]

var eventHubsRules = concat(
  [
    {
      name: 'eventhubs-throttled'
      text: 'Event Hubs throttles requests: more throughput units are needed.'
      metric: 'ThrottledRequests'
      threshold: 0
    }
    {
      name: 'eventhubs-quota'
      text: 'Event Hubs refuses requests beyond its quota.'
      metric: 'QuotaExceededErrors'
      threshold: 0
    }
  ],
  capture
    ? [
        {
          name: 'capture-backlog'
          text: 'Event Hubs Capture is behind.'
          metric: 'CaptureBacklog'
          threshold: 0
        }
      ]
    : []
)

resource serviceBusAlert 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for rule in serviceBusRules: {
    name: 'alert-${base}-${rule.name}'
    location: 'global'
    tags: tags
    properties: {
      description: rule.text
      severity: rule.severity
      enabled: true
      scopes: [serviceBusId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT5M'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            name: rule.name
            criterionType: 'StaticThresholdCriterion'
            metricNamespace: 'Microsoft.ServiceBus/namespaces'
            metricName: rule.metric
            operator: 'GreaterThan'
            threshold: rule.threshold
            timeAggregation: rule.aggregation
            dimensions: [
              {
                name: 'EntityName'
                operator: 'Include'
                values: ['*']
              }
            ]
          }
        ]
      }
      actions: [
        {
          actionGroupId: actionGroupId
        }
      ]
    }
  }
]

resource eventHubsAlert 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for rule in eventHubsRules: {
    name: 'alert-${base}-${rule.name}'
    location: 'global'
    tags: tags
    properties: {
      description: rule.text
      severity: 3
      enabled: true
      scopes: [eventHubsId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            name: rule.name
            criterionType: 'StaticThresholdCriterion'
            metricNamespace: 'Microsoft.EventHub/namespaces'
            metricName: rule.metric
            operator: 'GreaterThan'
            threshold: rule.threshold
            timeAggregation: 'Total'
          }
        ]
      }
      actions: [
        {
          actionGroupId: actionGroupId
        }
      ]
    }
  }
]
