metadata description = 'Private endpoints, their DNS zones, and the link of the zones to the network.'

import { tagsType } from 'types.bicep'

@description('Network that resolves the zones.')
param vnetId string

@description('Subnet of the endpoints.')
param subnetId string

@description('What to reach privately.')
param endpoints endpointType[]

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

type endpointType = {
  @description('Name of the endpoint.')
  name: string

  @description('Resource that it stands for.')
  targetId: string

  @description('Part of the resource: blob, queue, table, namespace ...')
  groupId: string

  @description('Private DNS zone of that part.')
  zone: string
}

// Service Bus and Event Hubs share a zone: each name once.
var zoneNames = union(map(endpoints, endpoint => endpoint.zone), [])

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zoneName in zoneNames: {
    name: zoneName
    location: 'global'
    tags: tags
  }
]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zoneName, i) in zoneNames: {
    parent: zone[i]
    name: 'link-${uniqueString(vnetId)}'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: {
        id: vnetId
      }
    }
  }
]

resource privateEndpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = [
  for endpoint in endpoints: {
    name: endpoint.name
    location: location
    tags: tags
    properties: {
      subnet: {
        id: subnetId
      }
      privateLinkServiceConnections: [
        {
          name: endpoint.name
          properties: {
            privateLinkServiceId: endpoint.targetId
            groupIds: [endpoint.groupId]
          }
        }
      ]
    }
  }
]

resource zoneGroup 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = [
  for (endpoint, i) in endpoints: {
    parent: privateEndpoint[i]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: replace(endpoint.zone, '.', '-')
          properties: {
            privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', endpoint.zone)
          }
        }
      ]
    }
    dependsOn: [
      zone
    ]
  }
]
