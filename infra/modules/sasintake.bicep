metadata description = '''
One queue, topic or hub that service endpoints of Dataverse, or an endpoint of Finance & Operations, post to directly. With
SAS, local authentication is a switch of a whole namespace, whose RootManageSharedAccessKey cannot be deleted. So the entity
has a namespace of its own: a key that leaks there, even that one, opens nothing else. Whoever posts gets a key with the
Send right alone, or signs in with an identity, and then there need be no key; the app reads with its identity
(roles-sasintake.bicep).
'''

import { tagsType } from 'types.bicep'

@description('Which of topology.serviceEndpoints.')
@allowed(['queue', 'topic', 'hub'])
param kind string

@description('What topology.json says of each kind.')
param serviceEndpoints object

@description('Name of the namespace.')
param name string

@description('Name of the key with which to post.')
param ruleName string = 'dataverse-send'

@description('Whether there is a key; without one, SAS is off in the namespace.')
param withKey bool = true

@description('Workspace of the diagnostic settings.')
param workspaceId string

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

var queueOf = serviceEndpoints.queue
var topicOf = serviceEndpoints.topic
var hubOf = serviceEndpoints.hub

resource serviceBus 'Microsoft.ServiceBus/namespaces@2024-01-01' = if (kind != 'hub') {
  name: name
  location: location
  tags: tags
  sku: {
    name: 'Standard'
    tier: 'Standard'
  }
  properties: {
    disableLocalAuth: !withKey
    minimumTlsVersion: '1.2'
  }
}

// Neither sets a session id or a message id that means anything: no sessions, no duplicate detection.
resource queue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = if (kind == 'queue') {
  parent: serviceBus
  name: queueOf.name
  properties: union(queueOf.options, { enablePartitioning: false })
}

resource queueRule 'Microsoft.ServiceBus/namespaces/queues/authorizationRules@2024-01-01' = if (kind == 'queue' && withKey) {
  parent: queue
  name: ruleName
  properties: {
    rights: ['Send']
  }
}

resource topic 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' = if (kind == 'topic') {
  parent: serviceBus
  name: topicOf.name
  properties: {
    defaultMessageTimeToLive: topicOf.options.defaultMessageTimeToLive
    enablePartitioning: false
  }
}

resource subscription 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2024-01-01' = if (kind == 'topic') {
  parent: topic
  name: topicOf.subscription
  properties: topicOf.options
}

resource topicRule 'Microsoft.ServiceBus/namespaces/topics/authorizationRules@2024-01-01' = if (kind == 'topic' && withKey) {
  parent: topic
  name: ruleName
  properties: {
    rights: ['Send']
  }
}

resource eventHubs 'Microsoft.EventHub/namespaces@2024-01-01' = if (kind == 'hub') {
  name: name
  location: location
  tags: tags
  sku: {
    name: 'Standard'
    tier: 'Standard'
    capacity: 1
  }
  properties: {
    disableLocalAuth: !withKey
    minimumTlsVersion: '1.2'
  }
}

resource hub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = if (kind == 'hub') {
  parent: eventHubs
  name: hubOf.name
  properties: {
    partitionCount: hubOf.partitionCount
    retentionDescription: {
      cleanupPolicy: 'Delete'
      retentionTimeInHours: hubOf.retentionTimeInHours
    }
  }
}

resource consumerGroup 'Microsoft.EventHub/namespaces/eventhubs/consumergroups@2024-01-01' = if (kind == 'hub') {
  parent: hub
  name: hubOf.consumerGroup
}

resource hubRule 'Microsoft.EventHub/namespaces/eventhubs/authorizationRules@2024-01-01' = if (kind == 'hub' && withKey) {
  parent: hub
  name: ruleName
  properties: {
    rights: ['Send']
  }
}

resource serviceBusLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (kind != 'hub') {
  name: 'to-workspace'
  scope: serviceBus
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'OperationalLogs'
        enabled: true
      }
    ]
  }
}

resource eventHubsLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (kind == 'hub') {
  name: 'to-workspace'
  scope: eventHubs
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'OperationalLogs'
        enabled: true
      }
    ]
  }
}

@description('Name of the namespace; its key is read by az, never by a deployment.')
output namespaceName string = name
