metadata description = 'What an identity may do where Dataverse posts to directly (sasintake.bicep): the app reads that one entity, and that of Dataverse sends to it.'

@description('Which of topology.serviceEndpoints.')
@allowed(['queue', 'topic', 'hub'])
param kind string

@description('What topology.json says of each kind.')
param serviceEndpoints object

@description('Name of the namespace.')
param namespaceName string

@description('Object id of the identity.')
param principalId string

@description('Whether it sends; otherwise it reads.')
param sends bool = false

// Data Owner to read, because only that role lets the platform read how many messages wait (roles.bicep).
var serviceBusDataOwner = '090c5cfd-751d-490a-894a-3ce6f1109419'
var serviceBusDataSender = '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39'
var eventHubsDataReceiver = 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'
var eventHubsDataSender = '2b629674-e913-4c01-ae53-ef4638d8f975'
var serviceBusRole = sends ? serviceBusDataSender : serviceBusDataOwner
var eventHubsRole = sends ? eventHubsDataSender : eventHubsDataReceiver

resource serviceBus 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: namespaceName
}

resource queue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' existing = {
  parent: serviceBus
  name: serviceEndpoints.queue.name
}

resource topic 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' existing = {
  parent: serviceBus
  name: serviceEndpoints.topic.name
}

resource eventHubs 'Microsoft.EventHub/namespaces@2024-01-01' existing = {
  name: namespaceName
}

resource hub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' existing = {
  parent: eventHubs
  name: serviceEndpoints.hub.name
}

resource queueAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (kind == 'queue') {
  name: guid(queue.id, principalId, serviceBusRole)
  scope: queue
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', serviceBusRole)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource topicAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (kind == 'topic') {
  name: guid(topic.id, principalId, serviceBusRole)
  scope: topic
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', serviceBusRole)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource hubAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (kind == 'hub') {
  name: guid(hub.id, principalId, eventHubsRole)
  scope: hub
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', eventHubsRole)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
