metadata description = 'The right of the app to publish to the topic of settled events. By itself, so that what-if can look into the module of the topic.'

@description('Name of the topic.')
param topicName string

@description('Object id of the identity that publishes.')
param principalId string

// EventGrid Data Sender
var roleId = 'd5a91429-5739-47e2-a06b-3470a27159e7'

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: topicName
}

resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(topic.id, principalId, roleId)
  scope: topic
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
