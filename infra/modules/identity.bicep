metadata description = 'The identity that the app runs as.'

import { tagsType } from 'types.bicep'

@description('Name of the identity.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Object id, for role assignments.')
output principalId string = identity.properties.principalId

@description('Client id, for tokens and for the application user of Dataverse.')
output clientId string = identity.properties.clientId
