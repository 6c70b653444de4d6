UPDATE space_state SET member_quota_count = member_quota_count + (
    SELECT COUNT(*) FROM team_folder
     WHERE team_folder.space_id = space_state.space_id AND team_folder.quota_bytes IS NOT NULL);
