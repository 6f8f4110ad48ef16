metadata description = '''
What stands before and behind this environment, each off unless it is asked for: a topic that events come through, readers of the
stream of settled events, and a topic that announces each new file of the archive.
'''

import { readerType, tagsType } from 'types.bicep'

@description('Part of every name.')
param base string

@description('Name of the Event Hubs namespace.')
param eventHubsName string

@description('The hub of settled events.')
param hub string

@description('Programs that read the hub.')
param readers readerType[]

@description('Name of the storage account of the archive.')
param storageAccountName string

@description('Make a system topic of the storage account, to which consumers subscribe (Microsoft.Storage.BlobCreated).')
param archiveTopic bool

@description('Make a topic that events come through: who may publish to it. Empty for none.')
@allowed(['', 'entra', 'keys'])
param eventGridTopic string

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

// Azure Event Hubs Data Receiver
var roleId = 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'

resource eventHubs 'Microsoft.EventHub/namespaces@2024-01-01' existing = {
  name: eventHubsName

  resource stream 'eventhubs' existing = {
    name: hub
  }
}

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageAccountName
}

resource group 'Microsoft.EventHub/namespaces/eventhubs/consumergroups@2024-01-01' = [
  for reader in readers: {
    parent: eventHubs::stream
    name: reader.consumerGroup
    properties: {}
  }
]

resource receiver 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for reader in readers: {
    name: guid(eventHubs::stream.id, reader.principalId, roleId)
    scope: eventHubs::stream
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
      principalId: reader.principalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = if (archiveTopic) {
  name: 'evgt-${base}-archive'
  location: location
  tags: tags
  properties: {
    source: account.id
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

// Its subscription is made by hand (docs/how-to/connect-dataverse.md, Event Grid): the address that it posts to has a key of the intake.
resource eventsIn 'Microsoft.EventGrid/topics@2025-02-15' = if (!empty(eventGridTopic)) {
  name: 'evgt-${base}-${take(uniqueString(resourceGroup().id, base), 6)}'
  location: location
  tags: tags
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    minimumTlsVersionAllowed: '1.2'
    // Dataverse's own service endpoint brings a key; whatever else publishes can bring an Entra token.
    disableLocalAuth: eventGridTopic == 'entra'
    publicNetworkAccess: 'Enabled'
  }
}

@description('Resource id of the topic that events come through; empty where there is none.')
output eventGridTopicId string = empty(eventGridTopic) ? '' : eventsIn.id
